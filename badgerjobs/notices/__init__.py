"""Tells people when something needs one, by e-mail and to a URL. Each notice is a run, as all that is done is."""
