"""Our own little films: a rendered bay with exact motion, for demo, tests, training and bench.

A `Scene` says which film (size, length, rate, seed); `render` gives its frames, `motion` where
everything in one frame is in another, `sound` its soundtrack, and `write_clip` a file of it all.
Nothing is drawn from files: every picture grows from the seed.
"""

from vstyle.scene.clip import write_clip
from vstyle.scene.film import Motion, Scene, frames, motion, render
from vstyle.scene.sound import sound

__all__ = ["Motion", "Scene", "frames", "motion", "render", "sound", "write_clip"]
