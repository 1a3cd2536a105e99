"""`vstyle bench`: how fast, how steady and how near the style, measured on this machine."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vstyle.cli import console, options, textfile

if TYPE_CHECKING:
    from vstyle.bench.compare import Change
    from vstyle.bench.records import Failure

REGRESSED = SOME_FAILED = 1


def bench(
    *,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure speed, as is done without --quality.")
    ] = False,
    quality: Annotated[
        bool, typer.Option("--quality", help="Measure style and steadiness.")
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE", help="Several can be given.", show_default="auto"),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DEVICE",
            help="auto, cpu, cuda, cuda:N or mps. Several can be given.",
            show_default="auto",
            envvar="VSTYLE_DEVICE",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH,...", help="Sizes of the clip.", show_default="640x360"),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A clip of yours.", show_default="a rendered one"),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            "-s",
            metavar="NAME|PICTURE",
            help="What to paint in for speed.",
            show_default="our own painting",
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Measured runs of every row.")] = 5,
    vgg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="VGG-19 weights, for style distances.", envvar="VSTYLE_VGG"
        ),
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Clips for --quality, on top of rendered ones."),
    ] = None,
    styles: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Paintings for --quality.", show_default="our own painting"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with plots.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="OLD.json", help="Compare with an earlier --json.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="What may get worse with --compare, in percent.")
    ] = 5.0,
    quiet: options.Quiet = False,
) -> None:
    """Measure models on this machine: speed end to end, style and steadiness.

    Examples:
      vstyle bench --device cpu --size 640x360,1280x720 --report report.html

      vstyle bench --quality --vgg vgg.safetensors --clips clips/ --styles paintings/

      vstyle bench --json --compare old.json > new.json
    """
    from vstyle.bench import compare as comparing
    from vstyle.bench import document as documents
    from vstyle.bench import machine, run
    from vstyle.bench import quality as judging
    from vstyle.bench import speed as timing
    from vstyle.bench.clips import own_painting, parse_sizes, workplace
    from vstyle.bench.report import page
    from vstyle.bench.tables import compared, tables
    from vstyle.engine.build import AUTO
    from vstyle.folders import clips_in, pictures_in
    from vstyle.models.vgg import Features
    from vstyle.training.vgg import read_vgg

    old = documents.read(compare) if compare else None
    if report:
        textfile.check_place(report)
    sizes = parse_sizes(size) if size else [None]
    # Now, not after an hour of speed.
    features = Features(read_vgg(vgg)) if quality and vgg else None
    paintings = pictures_in(styles) if styles else []
    films = clips_in(clips) if clips else []
    models, devices = tuple(model or [AUTO]), tuple(device or ["auto"])
    made = datetime.now(UTC).isoformat(timespec="seconds")
    environment = machine.environment()
    with workplace() as folder:
        fast = judge = None
        if speed or not quality:
            look = style or str(own_painting(folder))
            fast = timing.Wanted(models, devices, tuple(sizes), clip, look, runs)
        if quality:
            looks = tuple(paintings or [own_painting(folder)])
            judge = judging.Wanted(models, devices[0], features, tuple(films), looks)
        found = list(console.draw_rows(run.measure(run.Wanted(fast, judge), folder), quiet))
    result = documents.assemble(made, ["vstyle", *sys.argv[1:]], environment, found)
    changes = comparing.compare(old, result, tolerance / 100) if old else []
    if as_json:
        typer.echo(documents.to_json(result))
        if changes and not quiet:
            console.show([compared(changes)], aside=True)
    else:
        console.show(tables(result, changes))
    if not quiet:
        for message in (*result.notes, *(comparing.remarks(old, result) if old else ())):
            console.note(message)
    if report:  # last: if that fails, all has been told
        shown = [each for each in found if isinstance(each, run.Shown)]
        textfile.write(report, page(result, shown, changes))
    code = _exit_code(result.failures, bool(result.speed or result.quality), changes)
    if code:
        raise typer.Exit(code)


def _exit_code(failures: tuple[Failure, ...], some: bool, changes: list[Change]) -> int:
    """Return 0 if all went well; if nothing could be measured, the code of the first reason."""
    if failures and not some:
        return failures[0].exit_code
    if failures:
        return SOME_FAILED
    return REGRESSED if any(change.regression for change in changes) else 0
