"""A meeting service under fire: everything that can fail does, and every sample and line is accounted for.

    make chaos MINUTES=20

Senders, receivers, web and worker processes, Redis and PostgreSQL are real. The recogniser answers with the
checksum of the audio it was given, and the audio says where it belongs, so each line proves what it was made
from.
"""
