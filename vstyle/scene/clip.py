"""A film as a file: H.264 pictures and AAC sound in an .mp4, with its colour said rightly."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike, fspath

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from vstyle.scene.film import Scene, frames
from vstyle.scene.sound import sound

SOUND_RATE = 48000
BT709 = 1  # the number of this matrix, these primaries and this curve in every container


def write_clip(scene: Scene, path: str | PathLike[str]) -> None:
    """Render a film with its sound into an .mp4 file, overwriting it.

    Frame n is shown at n / rate. H.264 halves the colour's resolution in pairs of pixels, so the
    width and height must be even.
    """
    if scene.width % 2 or scene.height % 2:
        raise ValueError(f"{scene.width}x{scene.height}: the sides of a clip must be even")
    with av.open(fspath(path), "w", format="mp4") as container:
        picture = container.add_stream(
            "libx264", rate=scene.rate, options={"crf": "16", "preset": "veryfast"}
        )
        picture.width, picture.height, picture.pix_fmt = scene.width, scene.height, "yuv420p"
        picture.time_base = picture.codec_context.time_base = 1 / scene.rate
        context = picture.codec_context
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = context.color_trc = BT709
        track = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        track.bit_rate = 160_000

        samples = np.ascontiguousarray(sound(scene, SOUND_RATE).T.astype(np.float32) / 32768)
        heard = 0
        for number, rgb in enumerate(frames(scene)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                format="yuv420p",
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                dst_colorspace=Colorspace.ITU709,
            )
            frame.pts, frame.time_base = number, 1 / scene.rate
            container.mux(picture.encode(frame))
            # The sound keeps pace with the picture, or a player would have to seek for it.
            until = min(round((number + 1) / scene.rate * SOUND_RATE), samples.shape[1])
            part = av.AudioFrame.from_ndarray(samples[:, heard:until], "fltp", "stereo")
            part.sample_rate, part.pts = SOUND_RATE, heard
            part.time_base = Fraction(1, SOUND_RATE)
            container.mux(track.encode(part))
            heard = until
        container.mux(picture.encode(None))
        container.mux(track.encode(None))
