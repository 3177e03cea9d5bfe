"""What is written on a message: the outside for everyone, the inside (`schemas.content`) for agencies only.

Pure data: nothing here imports a room of ours or does I/O.
"""
