"""What comes through unharmed: cases as data, tests that run them, and the page they are on."""
