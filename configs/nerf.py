"""The methods that ``ns-train`` lists: ``insitu`` and its smaller kin.

The ladder follows Instruct-NeRF2NeRF's (in2n, in2n-small, in2n-tiny): fewer rays, then no patches
and no perceptual loss. The editor's own networks fit themselves to the memory that is left.
"""

from __future__ import annotations

from typing import Any

from nerfstudio.cameras.camera_optimizers import CameraOptimizerConfig
from nerfstudio.configs.base_config import MachineConfig, ViewerConfig
from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
from nerfstudio.engine.optimizers import AdamOptimizerConfig
from nerfstudio.engine.schedulers import ExponentialDecaySchedulerConfig
from nerfstudio.plugins.types import MethodSpecification

from nerf.checkpoints import allow_numpy_scalars
from nerf.datamanager import InsituDataManagerConfig
from nerf.model import InsituModelConfig
from nerf.pipeline import InsituPipelineConfig
from nerf.trainer import InsituTrainerConfig

# every ns-… command imports this module through its entry point, and then loads a checkpoint
allow_numpy_scalars()

_NO_BOUND = 1_000_000  # the edit ends the run


def _adam(lr: float, lr_final: float, max_steps: int, eps: float = 1e-15) -> dict[str, Any]:
    return {
        "optimizer": AdamOptimizerConfig(lr=lr, eps=eps),
        "scheduler": ExponentialDecaySchedulerConfig(lr_final=lr_final, max_steps=max_steps),
    }


def _on_a_gpu(name: str, *, rays: int, patch: int, perceptual: float) -> InsituTrainerConfig:
    """Return nerfacto's own settings, with the edit's rays, patches and losses."""
    return InsituTrainerConfig(
        method_name=name,
        steps_per_save=1000,
        steps_per_eval_batch=1000,
        steps_per_eval_image=1000,
        max_num_iterations=_NO_BOUND,
        mixed_precision=True,
        pipeline=InsituPipelineConfig(
            datamanager=InsituDataManagerConfig(
                dataparser=NerfstudioDataParserConfig(),
                train_num_rays_per_batch=4096,
                eval_num_rays_per_batch=4096,
                edit_rays_per_batch=rays,
                edit_patch_size=patch,
            ),
            model=InsituModelConfig(
                eval_num_rays_per_chunk=1 << 15,
                camera_optimizer=CameraOptimizerConfig(mode="SO3xR3"),
                perceptual_weight=perceptual,
            ),
        ),
        optimizers={
            "proposal_networks": _adam(1e-2, 1e-4, 200_000),
            "fields": _adam(1e-2, 1e-4, 200_000),
            "camera_opt": _adam(1e-3, 1e-4, 5000),
        },
        viewer=ViewerConfig(num_rays_per_chunk=1 << 15, websocket_host="127.0.0.1"),
        vis="viewer",
    )


def _on_a_cpu() -> InsituTrainerConfig:
    """Return a small field, few rays and a high learning rate: what learns most a CPU second."""
    return InsituTrainerConfig(
        method_name="insitu-cpu",
        steps_per_save=500,
        steps_per_eval_batch=1000,
        steps_per_eval_image=1000,
        steps_per_eval_all_images=_NO_BOUND,
        max_num_iterations=_NO_BOUND,
        mixed_precision=False,
        machine=MachineConfig(device_type="cpu"),
        pipeline=InsituPipelineConfig(
            datamanager=InsituDataManagerConfig(
                dataparser=NerfstudioDataParserConfig(),
                train_num_rays_per_batch=256,
                eval_num_rays_per_batch=256,
                edit_rays_per_batch=256,
            ),
            model=InsituModelConfig(
                implementation="torch",
                eval_num_rays_per_chunk=4096,
                far_plane=100.0,
                num_levels=8,
                max_res=512,
                log2_hashmap_size=15,
                hidden_dim=32,
                hidden_dim_color=32,
                num_proposal_iterations=1,
                num_proposal_samples_per_ray=(48,),
                num_nerf_samples_per_ray=24,
                proposal_net_args_list=[
                    {
                        "hidden_dim": 16,
                        "log2_hashmap_size": 14,
                        "num_levels": 4,
                        "max_res": 64,
                        "use_linear": False,
                    }
                ],
                proposal_warmup=500,
                proposal_weights_anneal_max_num_iters=300,
                use_appearance_embedding=False,
                camera_optimizer=CameraOptimizerConfig(mode="off"),
                edit_loss="mse",
            ),
            reconstruct_steps=900,
            rounds=2,
            settle_steps=900,
        ),
        optimizers={
            "proposal_networks": _adam(3e-2, 3e-3, 8000),
            "fields": _adam(3e-2, 3e-3, 8000),
            "camera_opt": _adam(1e-3, 1e-4, 5000),
        },
        viewer=ViewerConfig(num_rays_per_chunk=4096, websocket_host="127.0.0.1"),
        vis="tensorboard",
    )


insitu = MethodSpecification(
    config=_on_a_gpu("insitu", rays=16384, patch=32, perceptual=1.0),
    description="Edit just the part of a scene that an instruction names.",
)
insitu_small = MethodSpecification(
    config=_on_a_gpu("insitu-small", rays=8192, patch=32, perceptual=1.0),
    description="insitu with half the rays.",
)
insitu_tiny = MethodSpecification(
    config=_on_a_gpu("insitu-tiny", rays=4096, patch=1, perceptual=0.0),
    description="insitu with a quarter of the rays, single pixels and no perceptual loss.",
)
insitu_cpu = MethodSpecification(
    config=_on_a_cpu(),
    description="insitu on a CPU: small pictures, minutes.",
)
