"""Keys and what is sealed with them; `cryptography` is imported here and nowhere else. No database is known here.

master key        outside the database: a file, the environment or a key service   masters.py
└── gallery key   wrapped by a master key                                         sealing.py
    ├── data key of a subject: embeddings, skeletons, metadata
    ├── transform of a protected gallery                                          transform.py
    └── key of a snapshot generation
signing key       wrapped by a master key: receipts, archives                     signing.py
"""
