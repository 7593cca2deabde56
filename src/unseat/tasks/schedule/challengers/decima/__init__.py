"""Decima: a graph neural network over the job graphs, with heads for the stage and for the job's limit.

H. Mao, M. Schwarzkopf, S. B. Venkatakrishnan, Z. Meng, M. Alizadeh, "Learning Scheduling Algorithms for Data Processing
Clusters", SIGCOMM 2019. `network` is its inference, compiled and without PyTorch; `training` its policy gradient.
"""
