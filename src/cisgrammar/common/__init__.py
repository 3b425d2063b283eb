"""What every room needs: errors, files, the config, seeds, logs, devices, provenance.

Nothing here knows of genomes, cells or models.
"""
