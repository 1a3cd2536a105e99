"""vstyle paints videos in the style of any picture: steadily, with the sound kept."""

__version__ = "0.1.0"
