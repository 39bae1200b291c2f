"""The program that builds a sandbox around itself and then becomes the command.

Never imported by the server: it compiles these files once and hands the code to a bare interpreter
(`python -I -S`) through a memory file together with a plan (see `helper.py`), so that nothing a
command can write decides what runs here. Only the kernel is asked; every import costs start-up
time, hence `_signal`, and nothing of the rest of the house is there. Whatever cannot be set up ends
the program with a message and status 125 before the command has run.

program → namespaces → view, giving_up, command; all of them ask the kernel.
"""
