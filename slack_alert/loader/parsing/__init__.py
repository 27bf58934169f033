"""From a source text to declarations: markers, literals, signatures."""
