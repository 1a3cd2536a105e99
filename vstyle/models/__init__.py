"""The networks: pure modules that know no files, no devices and no printing."""
