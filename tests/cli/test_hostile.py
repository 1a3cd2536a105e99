"""Files made to do harm are refused: soon, in one line, with little memory."""

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as pack

SECONDS = 1.0  # of the processor, for each refusal
MEGABYTES = 300  # of memory, for all of them together

# Runs one command after the other in one process, which has its libraries loaded.
RUNNER = """
import json, sys, time
import vstyle.video.stylize, vstyle.engine.build
from vstyle.cli.app import app, exit_code
for words in json.load(sys.stdin):
    begin = time.process_time()
    code = exit_code(lambda: app(words))
    spent = time.process_time() - begin
    # Not ru_maxrss: it begins with the size of the process that started this one.
    status = open('/proc/self/status').read()
    peak = int(status.split('VmHWM:')[1].split()[0]) / 1024
    print(json.dumps([code, spent, peak]), flush=True)
    print("END", file=sys.stderr, flush=True)
"""


def png(path: Path, width: int, height: int) -> None:
    """Write a whole PNG of one bit per pixel, all black: some kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    press = zlib.compressobj()
    row = bytes(1 + -(-width // 8))
    pressed = b"".join(press.compress(row) for _ in range(height)) + press.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", pressed), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def stated(size: int, text: bytes) -> bytes:
    """Make a safetensors file that states a header of `size` bytes."""
    return struct.pack("<Q", size) + text


def tensors(entries: str) -> bytes:
    """Make a safetensors file of ours with these entries for tensors, and 16 bytes of them."""
    about = {"kind": "model", "config": {}, "provenance": {}, "format": 1}
    metadata = json.dumps({"vstyle": json.dumps(about)})
    text = f'{{"__metadata__":{metadata},{entries}}}'.encode()
    return stated(len(text), text) + bytes(16)


def f32(name: str, shape: str, begin: int, end: int) -> str:
    return f'"{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{begin},{end}]}}'


def about(config: object) -> dict[str, str]:
    return {
        "vstyle": json.dumps({"kind": "model", "config": config, "provenance": {}, "format": 1})
    }


ONE = np.ones(1, np.float32)
WIDE = {"generator": {"widths": [4000, 4000, 4000], "code": 4000}, "style": {"code": 4000}}
MODELS = {
    "a header of 2^63 bytes": stated(1 << 63, b"{}"),
    "a header longer than the file": stated(1 << 19, b"{}"),
    "a header that is no JSON": stated(4, b"{{{{"),
    "a header of nothing but brackets": stated(100_000, b"[" * 100_000),
    "overlapping tensors": tensors(f32("a", "[4]", 0, 16) + "," + f32("b", "[4]", 0, 16)),
    "tensors beyond the end": tensors(f32("a", "[400]", 0, 1600)),
    "a shape that is not the size": tensors(f32("a", "[3]", 0, 16)),
    "a shape that overflows": tensors(f32("a", f"[{1 << 62},8]", 0, 16)),
    "a negative shape": tensors(f32("a", "[-4]", 0, 16)),
    "bytes after the end": tensors(f32("a", "[2]", 0, 8)),
    "two bytes": b"{}",
    "a name twice": tensors(f32("a", "[2]", 0, 8) + "," + f32("a", "[2]", 8, 16)),
    "weights that are no numbers": pack({"a": ONE * np.nan}, about({})),
    "weights without an end": pack({"a": ONE * np.inf}, about({})),
    "the wrong weights": pack({"a": ONE}, about(WIDE)),
    "sizes beyond all": pack({"a": ONE}, about({"generator": {"widths": [1 << 40]}, "style": {}})),
    "sizes that are words": pack({"a": ONE}, about({"generator": {"widths": "abc"}, "style": {}})),
    "a pickle": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0etouch unpickled\x85R.",
    "a zip": b"PK\x03\x04" + bytes(100),
}
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
TEXTS = {
    "a.m3u8": PLAYLIST.format("file://{clip}"),
    "hls.mp4": PLAYLIST.format("file://{clip}"),
    "web.mp4": PLAYLIST.format("http://127.0.0.1:9/x.ts"),
    "a.ffconcat": "ffconcat version 1.0\nfile '{clip}'\n",
    "list.mp4": "ffconcat version 1.0\nfile '{clip}'\n",
    "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "a.sdp": SDP,
    "secret.txt": "The secret.\n" * 99,
    "secret.mp4": "The secret.\n" * 99,
    "y4m.y4m": "YUV4MPEG2 W99999 H99999 F25:1 Ip A1:1 C420\nFRAME\n",
    "words.srt": "1\n00:00:00,100 --> 00:00:00,500\nHello\n",
    "page.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "post.jpg": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
}
NAMES = [
    "concat:clip.mp4|clip.mp4",
    "subfile,,start,0,end,9999,,:clip.mp4",
    "data:video/mp4;base64,AAAA",
    "http://127.0.0.1:9/clip.mp4",
    "tcp://127.0.0.1:9",
    "crypto:clip.mp4",
    "cache:clip.mp4",
    "pipe:0",
    "lavfi:testsrc",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/mem",
]
BOMBS = {"bomb.png": (30000, 20000), "large.png": (12000, 10000), "long.png": (1, 1 << 30)}


def commands(folder: Path) -> dict[str, tuple[list[str], int]]:
    """Return commands by what is wrong with them, each with the code that it must end with."""
    clip = str(folder / "clip.mp4")
    found = {}
    for name in [*TEXTS, *NAMES, *BOMBS, "grey.gif"]:
        found[f"the clip is {name}"] = ([name, "--model", "identity"], 3)
    for name in [*BOMBS, "post.jpg", "hls.mp4", "page.svg", "/dev/zero", "grey.gif"]:
        found[f"the style is {name}"] = ([clip, "--style", name], 3)
    for name in MODELS:
        words = [clip, "--style", "great-wave", "--model", f"{name}.safetensors"]
        found[f"the model has {name}"] = (words, 4)
    for name in ("great-wave", "sparse.safetensors"):
        found[f"the model is a large file, style {name}"] = (
            [clip, "--style", "great-wave", "--model", "sparse.safetensors"],
            4,
        )
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, cfr: Path) -> Path:
    """Make a folder full of traps."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "clip.mp4").write_bytes(cfr.read_bytes())
    for name, text in TEXTS.items():
        (folder / name).write_text(text.replace("{clip}", str(folder / "clip.mp4")))
    for name, size in BOMBS.items():
        if size[1] < 1 << 20:
            png(folder / name, *size)
        else:  # one that only promises
            head = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
            data = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
            (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n" + data + bytes(64))
    (folder / "grey.gif").write_bytes(
        b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;"
    )
    for name, data in MODELS.items():
        (folder / f"{name}.safetensors").write_bytes(data)
    with (folder / "sparse.safetensors").open("wb") as file:
        file.write(b"\x10")
        file.truncate(900 << 20)
    return folder


def test_every_trap_is_refused_soon_and_with_little_memory(folder: Path) -> None:
    """One line each, the right code, under a second and 300 MB, and no file is made."""
    before = sorted(folder.iterdir())
    cases = commands(folder)
    words = [["stylize", *words, "-o", "out.mkv"] for words, _ in cases.values()]
    run = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(words),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env=os.environ | {"VSTYLE_DEVICE": "cpu"},
    )
    said = run.stderr.split("END\n")
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(results) == len(cases)
    wrong = {
        case: (result, words)
        for (case, (_, code)), result, words in zip(cases.items(), results, said, strict=False)
        if result[0] != code
        or result[1] > SECONDS
        or words.count("\n") != 1
        or not words.startswith("vstyle: ")
    }
    assert not wrong
    assert max(peak for _, _, peak in results) < MEGABYTES
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["bomb.png", "a.m3u8", "secret.txt", "y4m.y4m", "/dev/zero"])
def test_traps_on_standard_input_are_refused(name: str, folder: Path) -> None:
    with (folder / name).open("rb") as trap:
        run = subprocess.run(
            [sys.executable, "-m", "vstyle", "stylize", "-", "--model", "identity", "-o", "o.mkv"],
            stdin=trap,
            cwd=folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 3
    assert run.stderr.count(b"\n") == 1
    assert not (folder / "o.mkv").exists()
