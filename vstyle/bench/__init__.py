"""How fast, how steady and how near the style: measured on this machine, honestly."""
