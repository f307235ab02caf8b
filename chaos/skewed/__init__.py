"""What is put on PYTHONPATH of one process, so that its clock is wrong."""
