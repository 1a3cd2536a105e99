"""Options that mean the same in every verb that has them."""

import re
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer


def place(word: str) -> Path:
    """Return the path that a word means: `-` is standard input or output, `./-` a file."""
    path = Path(word)
    return path if word == "-" or path != Path("-") else path.absolute()


def style_names() -> list[str]:
    """Return what a shell can complete after `--style`."""
    from vstyle import styles

    return list(styles.names())


class Drawing(StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    JSON = "json"


Clips = Annotated[
    list[Path],
    typer.Argument(
        metavar="CLIP...", parser=place, help="The videos to paint; - is standard input."
    ),
]


def seconds(text: str) -> Fraction:
    """Read a time: seconds (`83.5`), or minutes or hours before them (`1:23.5`, `0:01:23.5`)."""
    if not re.fullmatch(r"(\d+:){0,2}(\d+(\.\d*)?|\.\d+)", text):
        raise typer.BadParameter(f"'{text}' is no time; write 83.5, 1:23.5 or 0:01:23.5")
    total = Fraction(0)
    for part in text.split(":"):
        total = total * 60 + Fraction(part)
    return total


_PARTS = 10_000  # of a frame per second


def per_second(text: str) -> Fraction:
    """Read a rate: `25`, `23.976` or, exactly, `24000/1001`."""
    form = re.fullmatch(r"\d+(\.\d+)?|\d+/[1-9]\d*", text)
    # 29.97003 is meant to be 30000/1001; and clocks have to count in its ticks.
    rate = Fraction(text).limit_denominator(_PARTS) if form else Fraction(0)
    if not 0 < rate <= 1000:
        raise typer.BadParameter(f"'{text}' is no rate; write 25, 29.97 or 30000/1001")
    return rate


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=place,
        help="Where to write; the suffix chooses the kind. - is standard output.",
    ),
]
OutDir = Annotated[
    Path | None,
    typer.Option(
        "--out-dir", metavar="FOLDER", help="Write each clip there under its name, or as mkv."
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Of standard output: nut, matroska or y4m.",
        show_default="nut",
        autocompletion=lambda: ["nut", "matroska", "y4m"],
    ),
]
Style = Annotated[
    str,
    typer.Option(
        "--style",
        "-s",
        metavar="NAME|PICTURE",
        help="A style that ships, or a picture.",
        autocompletion=style_names,
    ),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME|FILE",
        help="A model that ships, or a checkpoint; auto: the student, in int8 on a CPU.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="auto, cpu, cuda, cuda:N or mps.",
        envvar="VSTYLE_DEVICE",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", "-y", help="Replace the output if it exists.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say what is done with every stream, and how.")
]
Json = Annotated[
    bool, typer.Option("--json", help="In the end, say what was done as one JSON object.")
]
Progress = Annotated[
    Drawing, typer.Option("--progress", help="A bar where there is a terminal, or JSON lines.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Fail if the clip is damaged, instead of painting the rest."),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Keep the work on disk, and go on from what an earlier run has left."
    ),
]
KeepPartial = Annotated[
    bool, typer.Option("--keep-partial", help="If it is stopped, keep what there is of the output.")
]
Patience = Annotated[
    float,
    typer.Option(
        "--patience",
        min=0,
        metavar="SECONDS",
        help="How long standard input may give nothing, or ffmpeg do nothing; 0: for ever.",
    ),
]
NoAudio = Annotated[bool, typer.Option("--no-audio", help="Leave the sound out.")]
Start = Annotated[
    Fraction | None,
    typer.Option(
        "--start", metavar="TIME", parser=seconds, help="Begin here: 83.5, 1:23.5 or 0:01:23.5."
    ),
]
End = Annotated[
    Fraction | None, typer.Option("--end", metavar="TIME", parser=seconds, help="End before this.")
]
Duration = Annotated[
    Fraction | None,
    typer.Option("--duration", metavar="TIME", parser=seconds, help="End this long after --start."),
]
Fps = Annotated[
    Fraction | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        parser=per_second,
        help="Frames per second, by leaving out and repeating: 25, 30000/1001.",
        show_default="as they are",
    ),
]
PixFmt = Annotated[
    str | None,
    typer.Option(
        "--pix-fmt",
        metavar="NAME",
        help="Pixel format, as ffmpeg names it; yuv420p10le keeps 10 bits and HDR.",
        show_default="yuv420p for most",
    ),
]


class Deinterlacing(StrEnum):
    """What happens to interlaced frames."""

    AUTO = "auto"
    OFF = "off"


Deinterlace = Annotated[
    Deinterlacing,
    typer.Option("--deinterlace", help="Make whole pictures of interlaced ones, or do not."),
]
