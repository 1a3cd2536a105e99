"""Options that mean the same in every verb that has them."""

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Where to write; the suffix chooses the kind."
    ),
]
Style = Annotated[
    str,
    typer.Option("--style", "-s", metavar="NAME|PICTURE", help="A style that ships, or a picture."),
]
Model = Annotated[
    str, typer.Option("--model", metavar="NAME|FILE", help="A model that ships, or a checkpoint.")
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
