"""Clips by recipe: twelve patches of known colour that change places with every frame."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FRAMES = 10
PATCHES = np.array(
    [
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255),
        (0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 120, 60), (30, 90, 160), (90, 40, 20),
    ],
    np.uint8,
)  # fmt: skip
COLUMNS, SIDE = 4, 16  # of the patches, which makes 64x48

Ffmpeg = Callable[..., None]


@dataclass(frozen=True)
class Case:
    """One clip to make, and what to do with it. Streams and traits are keys of the tables below."""

    suffix: str
    encoder: str = "libx264"
    pixels: str = "yuv420p"
    rate: str = "25"
    colour: str = "bt709"  # a key of COLOURS
    streams: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    size: tuple[int, int] = (64, 48)
    out: str = ""  # a suffix; none: that of the source
    options: str = "--crf 1"  # of `vstyle stylize`
    slow: bool = False

    @property
    def source(self) -> str:
        """Return the clip in words."""
        picture = f"{self.suffix}: {self.encoder} {self.pixels}, {self.rate}/s, {self.colour}"
        size = () if self.size == (64, 48) else (f"{self.size[0]}x{self.size[1]}",)
        streams = " + ".join(self.streams)
        return "; ".join([", ".join([picture, *size, *self.traits]), *filter(None, [streams])])

    @property
    def output(self) -> str:
        """Return the suffix of the result."""
        return self.out or self.suffix


# What scale and setparams of ffmpeg want.
COLOURS = {
    "untagged": ("bt601:out_range=tv", ""),
    "bt601": ("bt601:out_range=tv", "range=tv:colorspace=smpte170m"),
    "bt601 full": ("bt601:out_range=pc", "range=pc:colorspace=smpte170m"),
    "bt709": (
        "bt709:out_range=tv",
        "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709",
    ),
    "bt709 full": (
        "bt709:out_range=pc",
        "range=pc:colorspace=bt709:color_primaries=bt709:color_trc=bt709",
    ),
    "bt2020": (
        "bt2020:out_range=tv",
        "range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt2020-10",
    ),
    "bt2020 full": (
        "bt2020:out_range=pc",
        "range=pc:colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt2020-10",
    ),
    "PQ": (
        "bt2020:out_range=tv",
        "range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084",
    ),
    "HLG": (
        "bt2020:out_range=tv",
        "range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=arib-std-b67",
    ),
    "RGB": ("", ""),
}

# BT.2020 lit by DCI-P3's primaries, in x265's words.
MASTERED = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":max-cll=1000,400"
)

# Filters of a trait, and options of the encoder or the muxer.
TRAITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "B-frames": ("", ("-bf", "3")),
    # Gaps of 20 to 236 ms, growing.
    "variable rate": (
        "settb=1/1000,setpts=N*8+N*N*12",
        ("-fps_mode", "passthrough", "-enc_time_base", "1:1000"),
    ),
    "pixels 4:3": ("setsar=4/3", ()),
    "interlaced": ("setfield=tff", ("-flags", "+ildct+ilme")),
    "from 1 h on": ("", ("-output_ts_offset", "3600")),
    "the last frame for 0.7 s": (
        "",
        ("-bsf:v", r"setts=pts=PTS:dts=DTS:duration=if(gt(NEXT_PTS\,PTS)\,NEXT_PTS-PTS\,0.7/TB)"),
    ),
    "mastered for 1000 cd/m2": ("", ("-x265-params", f"log-level=error:{MASTERED}")),
    "fragmented": ("", ("-movflags", "frag_keyframe+empty_moov")),
}
PALETTE = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"
LONG = "the last frame for 0.7 s"
LATE = "0.52 s after the sound"
SHEER = "transparent in places"
TURNS = {
    "turned 90": ("-display_rotation", "90"),
    "turned 180": ("-display_rotation", "180"),
    "turned 270": ("-display_rotation", "270"),
    "mirrored": ("-display_hflip",),
    "upside down": ("-display_vflip",),
    "turned 90, mirrored": ("-display_rotation", "90", "-display_hflip"),
    "turned 90, upside down": ("-display_rotation", "90", "-display_vflip"),
    "turned 270, upside down": ("-display_rotation", "270", "-display_vflip"),
}

# Enough quality that what differs is what the tool did.
_QUALITY = {
    "libx264": ("-preset", "ultrafast", "-crf", "1"),
    "libx265": ("-preset", "ultrafast", "-crf", "1", "-x265-params", "log-level=error"),
    "libvpx-vp9": ("-crf", "1", "-b:v", "0", "-cpu-used", "8"),
    "libvpx": ("-crf", "4", "-b:v", "20M", "-cpu-used", "8"),
    "libsvtav1": ("-preset", "12", "-crf", "1"),
    "mpeg2video": ("-q:v", "1"),
    "mpeg4": ("-q:v", "1"),
    "mjpeg": ("-q:v", "1"),
}
WORDS = "1\n00:00:00,040 --> 00:00:00,200\nHello\n\n2\n00:00:00,240 --> 00:00:00,360\nWorld\n"
NOTES = (
    ";FFMETADATA1\ntitle=A title\nartist=A painter\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=one\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=200\nEND=400\ntitle=two\n"
)
_TEXTS = {"subrip", "ass", "webvtt", "mov_text"}
_LATER = {"chapters", "font", "cover"}


def frames(width: int = 64, height: int = 48) -> np.ndarray:
    """Return the pictures, (FRAMES, height, width, 3): patches of SIDE, the last ones wider."""
    rows = np.minimum(np.arange(height) // SIDE, len(PATCHES) // COLUMNS - 1)
    columns = np.minimum(np.arange(width) // SIDE, COLUMNS - 1)
    places = rows[:, None] * COLUMNS + columns
    return np.stack([PATCHES[(places + index) % len(PATCHES)] for index in range(FRAMES)])


def make(case: Case, folder: Path, ffmpeg: Ffmpeg) -> Path:
    """Make the clip of a case in `folder`, with ffmpeg alone."""
    path = folder / f"in.{case.suffix}"
    raw = folder / "raw.rgb"
    images = frames(*case.size)
    if SHEER in case.traits:  # the darker, the less can be seen of it
        images = np.concatenate([images, images.max(-1, keepdims=True)], -1)
    raw.write_bytes(images.tobytes())
    kind = "rgba" if SHEER in case.traits else "rgb24"
    size = f"{case.size[0]}x{case.size[1]}"
    late = ("-itsoffset", "0.52") if LATE in case.traits else ()
    inputs = [*late, "-f", "rawvideo", "-pix_fmt", kind, "-s", size, "-r", case.rate, "-i", raw]
    maps: list[str | Path] = ["-map", "0:v"]
    codecs: list[str | Path] = []
    names = [stream for stream in case.streams if stream not in _LATER]
    for number, stream in enumerate(names, start=1):
        codec, _, language = stream.partition(" ")
        inputs += _input(codec, number, folder)
        maps += ["-map", str(number)]
        copied = codec == "hdmv_pgs_subtitle"
        codecs += [f"-c:{number}", "copy" if copied else _encoder(codec)]
        codecs += [f"-metadata:s:{number}", f"language={language}"] if language else []
    if "chapters" in case.streams:
        (folder / "notes.txt").write_text(NOTES)
        inputs += ["-i", folder / "notes.txt"]
        which = str(len(names) + 1)
        codecs += ["-map_metadata", which, "-map_chapters", which]
    if "font" in case.streams:
        (folder / "letters.ttf").write_bytes(b"\0\1\0\0" + bytes(60))
        codecs += ["-attach", folder / "letters.ttf", "-metadata:s:t", "mimetype=font/ttf"]
    filters, options = _picture(case)
    turn = [words for trait, words in TURNS.items() if trait in case.traits]
    first = folder / f"first.{case.suffix}" if turn or "cover" in case.streams else path
    ffmpeg(*inputs, *maps, *filters, *options, *codecs, "-strict", "-2", *_muxer(case), first)
    if turn:
        ffmpeg(*turn[0], "-i", first, "-map", "0", "-c", "copy", path)
    if "cover" in case.streams:
        cover = folder / "cover.png"
        ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", cover)
        if case.suffix == "mkv":
            both = ["-map", "0", "-attach", cover, "-metadata:s:t", "mimetype=image/png"]
        else:
            both = ["-i", cover, "-map", "1", "-map", "0", "-disposition:v:0", "attached_pic"]
        ffmpeg("-i", first, *both, "-c", "copy", path)
    return path


def _muxer(case: Case) -> list[str]:
    """Return what the container wants to be told."""
    return ["-enc_time_base", "1:100"] if case.suffix == "gif" else []


def _picture(case: Case) -> tuple[list[str], list[str]]:
    """Return ffmpeg's filters and options for the picture of a case."""
    matrix, tags = COLOURS[case.colour]
    known = [TRAITS[trait] for trait in case.traits if trait in TRAITS]
    filters = [words for words, _ in known if words]
    if matrix:
        filters.append(f"scale=flags=accurate_rnd+full_chroma_int:out_color_matrix={matrix}")
    filters.append(PALETTE if case.encoder == "gif" else f"format={case.pixels}")
    if tags:
        filters.append(f"setparams={tags}")
    options = ["-c:v", case.encoder, *_QUALITY.get(case.encoder, ())]
    if case.encoder == "libx264" and "B-frames" not in case.traits:
        options += ["-bf", "0"]
    for _, words in known:
        options += words
    return ["-vf", ",".join(filters)], options


def _input(codec: str, number: int, folder: Path) -> list[str | Path]:
    """Return ffmpeg's input for a stream other than the picture."""
    if codec in _TEXTS:
        (folder / "words.srt").write_text(WORDS)
        return ["-i", folder / "words.srt"]
    if codec == "hdmv_pgs_subtitle":
        (folder / "words.sup").write_bytes(bitmap_subtitle())
        return ["-i", folder / "words.sup"]
    return ["-f", "lavfi", "-i", f"sine=f={220 * number}:d=0.4:r=48000"]


def _encoder(codec: str) -> str:
    known = {"mp3": "libmp3lame", "opus": "libopus", "vorbis": "libvorbis", "subrip": "srt"}
    return known.get(codec, codec)


def bitmap_subtitle() -> bytes:
    """Return a PGS subtitle, the kind of Blu-rays: a white square of 8x8 from 0.04 to 0.2 s."""

    def segment(time: float, kind: int, data: bytes) -> bytes:
        ticks = round(time * 90000)
        return b"PG" + struct.pack(">IIBH", ticks, ticks, kind, len(data)) + data

    runs = b"".join(b"\x00\x88\x01\x00\x00" for _ in range(8))  # 8 pixels of colour 1, line by line
    window = struct.pack(">BBHHHH", 1, 0, 10, 30, 8, 8)
    palette = struct.pack(">BBBBBBB", 0, 0, 1, 235, 128, 128, 255)
    picture = struct.pack(">HBBBHHH", 0, 0, 0xC0, 0, len(runs) + 4, 8, 8) + runs
    shown = struct.pack(">HHBHBBBB", 64, 48, 0x10, 0, 0x80, 0, 0, 1)
    shown += struct.pack(">HBBHH", 0, 0, 0, 10, 30)
    gone = struct.pack(">HHBHBBBB", 64, 48, 0x10, 1, 0, 0, 0, 0)
    parts = [(0x16, shown), (0x17, window), (0x14, palette), (0x15, picture), (0x80, b"")]
    begin = b"".join(segment(0.04, kind, data) for kind, data in parts)
    parts = [(0x16, gone), (0x17, window), (0x80, b"")]
    return begin + b"".join(segment(0.2, kind, data) for kind, data in parts)
