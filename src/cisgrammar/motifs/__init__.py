"""From filters to motifs: extraction, MEME files, alignment, scanning, families."""
