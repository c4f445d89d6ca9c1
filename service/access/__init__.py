"""Who may ask what: keys, scopes and galleries."""
