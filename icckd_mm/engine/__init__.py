"""What plugs into mmengine's runner: hooks, and what the commands share. Light to import; the hooks are in ``engine.hooks``."""
