"""What a run of a delivery does: its body is transformed, and what comes of it is done."""
