"""The JavaScript of hooks: its versions, its examples, and trying it out."""
