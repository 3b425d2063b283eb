"""What the neurons of convolutions answer to: the patterns of each, and how they go together.

After NeuronMotif (Wei et al. 2023): sequences are sampled, demixed into facets, and read as motifs.
"""
