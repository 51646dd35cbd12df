"""Files of weights: `checkpoint` reads and writes them, `convert_weights` is the command that makes safetensors.

`published` declares what the authors publish: repository, size and licence of each file, which `registry` shows
before anything is downloaded. Pickled files are read with `weights_only` alone.

One more published file: an entry in `published`, its sizes in `network.config`, told apart in
`checkpoint.detect_config`.
"""
