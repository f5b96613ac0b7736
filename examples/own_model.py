"""A network that no library has, for `benchmart measure --models examples/models.toml`."""

from torch import Tensor, nn


class Mixer(nn.Module):
    """Patches of an image, mixed with one another and within."""

    def __init__(self, width: int, layers: int, patches: int) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, width, kernel_size=16, stride=16)
        self.between = nn.ModuleList(_mlp(patches) for _ in range(layers))
        self.within = nn.ModuleList(_mlp(width) for _ in range(layers))
        self.head = nn.Linear(width, 1000)

    def forward(self, pixel_values: Tensor) -> Tensor:
        values = self.patch(pixel_values).flatten(2)
        for between, within in zip(self.between, self.within, strict=True):
            values = values + between(values)
            values = values + within(values.transpose(1, 2)).transpose(1, 2)
        return self.head(values.mean(2))


def _mlp(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
    )


def mixer_small() -> nn.Module:
    """What is timed: functions that a table names take no arguments."""
    return Mixer(width=256, layers=8, patches=14 * 14)
