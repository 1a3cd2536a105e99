"""Remake all shipped styles: the codes, a preview of each, and the table in README.md.

    python scripts/make_styles.py --paintings FOLDER

Run it whenever a shipped model changes: a code means nothing to any other model. Nothing is written
unless all paintings are there; with --check nothing is written at all.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle import checkpoint, styles
from vstyle.bench.footage import timed
from vstyle.engine.build import build_engine, load_model, style_code
from vstyle.scene import Scene, render
from vstyle.video.flow import track
from vstyle.video.paint import paint

HERE = Path(__file__).parents[1] / "styles"
PREVIEW = Scene()  # the demo film
PREVIEW_FRAME = 48
PREVIEW_WIDTH = 320

HEAD = """# Styles

The styles that ship with vstyle, by the name that `--style` takes. Each file holds the code that
the shipped models' encoders made of a painting; the paintings themselves are in the public domain
and not part of the repository. Any other picture works as well: `--style path/to/picture.jpg`.

Remake everything after a shipped model has changed: `make styles PAINTINGS=folder`.

| name | painting | artist | year | a frame of our film, painted |
|---|---|---|---|---|
"""


def main() -> None:
    """Parse the command line and remake the styles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paintings", type=Path, required=True, help="folder of paintings.toml's")
    parser.add_argument("--check", action="store_true", help="only tell if a painting is missing")
    options = parser.parse_args()
    folder: Path = options.paintings
    listed = tomllib.loads((HERE / "paintings.toml").read_text(encoding="utf-8"))
    missing = [about["file"] for about in listed.values() if not (folder / about["file"]).is_file()]
    if missing:
        parser.error(f"{folder} lacks {', '.join(missing)}")
    if options.check:
        return
    (HERE / "previews").mkdir(exist_ok=True)
    frame = render(PREVIEW, PREVIEW_FRAME)
    rows = []
    for name, about in listed.items():
        write_style(name, about, folder / about["file"])
        engine, _ = build_engine("student", name, "cpu")
        preview = HERE / "previews" / f"{name}.jpg"
        (painted,) = paint(track(timed([frame])), engine)
        preview.write_bytes(jpeg(painted.image))
        rows.append(
            f"| `{name}` | {about['painting']} | {about['artist']} | {about['year']} "
            f"| ![{name}](previews/{name}.jpg) |"
        )
    (HERE / "README.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


def write_style(name: str, about: dict[str, str], picture: Path) -> None:
    """Write the style file of one painting: its contrast, and a code for every shipped model."""
    look, codes = styles.read(picture), {}
    for model, path in checkpoint.shipped_models().items():
        found = load_model(path)
        codes[model] = (styles.fingerprint(found.tensors), style_code(found, look, model))
    provenance = {key: about[key] for key in ("painting", "artist", "year")}
    styles.save_style(HERE / f"{name}.safetensors", codes, look.contrast, provenance)


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    """Return an RGB picture as a small JPEG."""
    height = round(picture.shape[0] * PREVIEW_WIDTH / picture.shape[1])
    small = cv2.resize(picture, (PREVIEW_WIDTH, height), interpolation=cv2.INTER_AREA)
    data: bytes = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[
        1
    ].tobytes()
    return data


if __name__ == "__main__":
    main()
