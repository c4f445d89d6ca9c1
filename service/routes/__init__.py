"""One short file for each kind of thing that can be asked."""
