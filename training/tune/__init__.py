"""How a bundle's models run fastest on this machine, with nothing lost that counts."""
