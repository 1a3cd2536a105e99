"""vstyle paints videos in the style of any picture: in real time, steadily, with the sound kept."""

__version__ = "0.1.0"
