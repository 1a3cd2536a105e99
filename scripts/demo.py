"""Paint our own film in the style of our own painting; lay before, style and after in a row.

python scripts/demo.py FOLDER
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.scene import Scene, write_clip
from vstyle.scene.canvas import paint_canvas

SHOWN = 48  # the frame that is shown
GAP = 12  # pixels of white between the pictures


def main() -> None:
    """Render the film and the painting, call the command, and print where the results are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    before, style, after = folder / "film.mp4", folder / "style.png", folder / "painted.mp4"
    write_clip(Scene(), before)
    canvas = paint_canvas()
    cv2.imwrite(str(style), canvas[..., ::-1])
    command = [sys.executable, "-m", "vstyle", "stylize", str(before), "--style", str(style)]
    subprocess.run([*command, "-o", str(after), "--overwrite"], check=True)
    row = side_by_side(frame(before, SHOWN), canvas, frame(after, SHOWN))
    sheet = folder / "before-style-after.png"
    cv2.imwrite(str(sheet), row[..., ::-1])
    print(after)
    print(sheet)


def frame(clip: Path, index: int) -> NDArray[np.uint8]:
    """Return one frame of a clip as RGB."""
    with av.open(str(clip)) as container:
        for number, found in enumerate(container.decode(video=0)):
            if number == index:
                return np.asarray(found.to_ndarray(format="rgb24", src_colorspace="ITU709"))
    raise IndexError(f"{clip} has no frame {index}")


def side_by_side(*pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay pictures in a row, all as high as the first."""
    height = pictures[0].shape[0]
    space = np.full((height, GAP, 3), 255, np.uint8)
    row: list[NDArray[np.uint8]] = []
    for picture in pictures:
        width = round(picture.shape[1] * height / picture.shape[0])
        fitted = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        row += [fitted.astype(np.uint8, copy=False), space]
    return np.hstack(row[:-1])


if __name__ == "__main__":
    main()
