"""The frame path: decode, track, paint, encode. Frames flow through here, one way."""
