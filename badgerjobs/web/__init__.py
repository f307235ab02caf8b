"""What every page and endpoint stands on."""
