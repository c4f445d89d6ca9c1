"""Bodies that hold sequences, by media type: bounded before they are decoded."""
