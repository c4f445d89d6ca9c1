"""One file that holds a gallery: signed, checked, encrypted under a key of its own, for any kind of database."""
