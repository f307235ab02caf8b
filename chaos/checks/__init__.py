"""What must hold after everything was broken: pure functions from what was promised and seen to what is wrong."""
