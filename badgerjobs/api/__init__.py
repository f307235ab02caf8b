"""The REST root: gathers what the apps bring."""
