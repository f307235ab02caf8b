"""What came to hooks: it is listed, held, replayed, judged once more, and pruned."""
