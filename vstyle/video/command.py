"""The command line of the ffmpeg that reads the pipe and writes the file."""

from fractions import Fraction

from vstyle.video import ffmpeg
from vstyle.video.codecs import codec_named
from vstyle.video.covers import place_of
from vstyle.video.decode import Clip
from vstyle.video.opening import FORMATS
from vstyle.video.part import part_of
from vstyle.video.pipe import SWALLOWED, shift_of
from vstyle.video.plan import Plan, time_base_of
from vstyle.video.standard import STANDARD
from vstyle.video.streams import ATTACHED, COVER, FILE, PIPE


def command_for(plan: Plan, clip: Clip) -> list[str]:
    """Return the ffmpeg command that reads the pipe and writes the growing file."""
    to_stdout = plan.destination == STANDARD
    place = "pipe:1" if to_stdout else f"file:{part_of(plan.destination)}"
    command = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    # Times go through as they are, but for the shift of the pipe and the origin of the clip.
    offset = Fraction(0) if plan.shifted else -shift_of(clip) - clip.origin
    command += ["-copyts", "-itsoffset", _seconds(offset)]
    command += [*plan.light, *(["-bsf:v:0", _SHOWN] if plan.ends else [])]
    command += ["-protocol_whitelist", "pipe", "-f", "nut", "-i", "pipe:0"]
    # Resolved: to another process /dev/stdin is something else.
    file = [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-i",
        f"file:{clip.path.resolve()}",
    ]
    timed, timeless = (any(way.source == source for way in plan.routes) for source in (FILE, COVER))
    if timed:
        # What the pipe cannot carry, ffmpeg takes from the file, at the same times.
        command += ["-itsoffset", _seconds(-clip.origin)]
        if clip.reading.start:
            # Not accurately: sound that is converted would be cut at that time once it is shifted.
            command += ["-seek_timestamp", "1", "-ss", _seconds(clip.origin), "-noaccurate_seek"]
        command += file
    command += file if timeless else []
    command += ["-map", "0:v:0", *_routing(plan, bool(clip.reading.start), 1 + timed)]
    command += ["-map_metadata", "0", "-map_chapters", "0", *plan.video]
    command += ["-bsf:v:0", _LAST] if plan.ends and plan.container.muxer in _BY_LENGTH else []
    command += _part_of(clip) if timed else []
    command += ["-fps_mode:v:0", "passthrough"]
    base = time_base_of(clip, plan.container, codec_named(plan.codec))
    ticks = f"{base.numerator}/{base.denominator}" if base else "demux"
    command += ["-enc_time_base:v:0", ticks]
    return [*command, *plan.container.options, "-f", plan.container.muxer, place]


def _part_of(clip: Clip) -> list[str]:
    """Return ffmpeg's options to leave out what it reads from the file outside the wanted part."""
    start, end = clip.reading.start, clip.reading.end
    # A little more, to be sure of the last frame.
    return [] if end is None else ["-t", _seconds(end - start + Fraction(1, 1000))]


def _seconds(time: Fraction) -> str:
    """Return a time as ffmpeg reads it, to the microsecond."""
    return f"{float(time):.6f}"


_BY_LENGTH = {"mp4", "mov"}
"""Muxers that count times from how long each packet lasts."""

# NUT does not say how long a packet lasts. A frame is shown until the next one comes; where that
# is shown before it, as in the pieces of `--resume`, nothing is known. The pipe ends with a packet
# of one byte, at the time when the last frame ends.
_SHOWN = (
    r"setts=pts=PTS:dts=DTS:"
    r"duration=if(gt(NEXT_PTS\,PTS)\,NEXT_PTS-PTS\,if(gt(NEXT_PTS\,0)\,1\,DURATION)),"
    r"noise=drop=lt(size\,2)"
)

# A track is as long as its last packet lasts, counted from when that is decoded. It need not be the
# last frame: all is over when the last one shown is. Where times are even, that is as long as any
# other packet lasts. Where nothing would be left, it is decoded as long after the first one as it
# is shown after it, or right after the one before.
_OVER = r"0*st(0\,max(ld(0)\,PTS+DURATION))"  # after all else: when what has come so far is over
_LEFT = r"(ld(0)-STARTPTS-DTS+STARTDTS)"
# The packets of pieces that are joined do not say how long they last, but for the last one.
_ALONE = rf"(lt(ld(0)\,PTS+DURATION)+lte({_LEFT}\,0))"
_LAST = (
    rf"setts=pts=PTS:dts=if(eq(NEXT_PTS\,NOPTS)*{_ALONE}\,"
    rf"max(PREV_OUTDTS+1\,PTS-STARTPTS+STARTDTS)\,DTS)+{_OVER}:"
    rf"duration=if(eq(NEXT_PTS\,NOPTS)\,"
    rf"if({_ALONE}\,max(ld(0)\,PTS+DURATION)-PTS\,{_LEFT})\,DURATION)+{_OVER}"
)

_ROUNDING = 0.0005  # seconds; Matroska counts in twice as many

# Of Opus and FLAC ffmpeg cannot tell either how long a packet lasts, and the last one would lie
# behind the end that an mp4 states.
_LASTING = (
    "setts=duration="
    r"if(DURATION\,DURATION\,if(gt(NEXT_PTS\,PTS)\,NEXT_PTS-PTS\,PREV_OUTDURATION))"
)


# Packets of a file that are before all: of another part, cut off, or there to begin with nothing.
# Not by `-ss 0`: where the picture is copied that leaves out its first group of frames.
_BEFORE = r"noise=drop=lt(pts*tb\,{})"


def _routing(plan: Plan, part: bool, covers: int) -> list[str]:
    """Return ffmpeg's options for the streams other than the picture.

    `part` says that the beginning is not wanted; `covers` is the number of the input that has the
    covers.
    """
    options: list[str] = []
    piped = 0
    for count, way in enumerate(plan.routes, start=1):
        if way.source == PIPE:
            piped += 1  # the picture is stream 0 of the pipe
            if way.encoder == "copy" and plan.container.muxer in _BY_LENGTH:
                options += [f"-bsf:{count}", _LASTING]
        options += [f"-disposition:{count}", way.marks] if way.source in {PIPE, FILE} else []
        if way.source == ATTACHED:
            cover = place_of(plan.destination, way.stream)
            name = f"filename=cover.{way.kind.partition('/')[2].replace('jpeg', 'jpg')}"
            options += ["-attach", f"file:{cover}", f"-metadata:s:{count}", f"mimetype={way.kind}"]
            options += [f"-metadata:s:{count}", name]
            continue
        if way.source == FILE and way.what in {"audio", "subtitle"}:
            hidden = way.what == "audio" and not part
            least = -float(SWALLOWED) if hidden else -_ROUNDING
            options += [f"-bsf:{count}", _BEFORE.format(least)]
            if part and way.what == "audio" and way.encoder != "copy":
                options += [f"-filter:{count}", "atrim=start=0"]  # to the sample
        place = {PIPE: f"0:{piped}", FILE: f"1:{way.stream}", COVER: f"{covers}:{way.stream}"}
        options += ["-map", place[way.source], f"-c:{count}", way.encoder]
        if way.source == COVER:
            options += [f"-disposition:{count}", "attached_pic"]
    return options
