from . import bench_body
