"""What paints: one checkpoint and one style, made fast on one device."""
