"""Vision-language backbones of RT-2: one file each, all behind `VLM`."""
