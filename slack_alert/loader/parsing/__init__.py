"""From source text to declarations: markers, literals and signatures."""
