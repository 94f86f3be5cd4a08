"""Calibration, information and bottleneck where only NumPy is."""


def test_every_measure_of_arrays_works_without_torch(without_torch):
    without_torch("""
        import numpy as np

        from lsedu import bottleneck, calibration, information

        rng = np.random.default_rng(0)
        p, y = rng.dirichlet(np.ones(3), size=20), rng.integers(0, 3, 20)
        logits, table = np.log(p), rng.dirichlet(np.ones(3), size=4)
        nats = {"unit": "nats"}
        calls = {
            calibration: {
                **{name: (p, y) for name in calibration.__all__},
                "Reliability": None, "RiskCoverage": None, "mean_confidence": (p,),
                "apply_temperature": (logits, 2.0), "fit_temperature": (logits, y),
            },
            information: {
                "Merged": None, "Point": None, "PlaneMeter": {"codes": 3, "classes": 3}, "Unit": None,
                "balanced_information": (3, {"alpha": 0.1, **nats}),
                "convert": (1.0, {"source": "bits", "target": "nats"}),
                "encoder_information": (p, nats), "entropy": (p, nats), "from_counts": (np.ones((2, 2)),),
                "kl": (p, p[0], nats), "merge_rows": (p,), "mutual_information": (p / 20, nats),
                "plane_point": (p, y, nats), "target_information": (p, y, nats),
                "smoothed_point": (p, {"alpha": 0.1, "convention": "others", **nats}),
            },
            bottleneck: {
                "Constrained": None, "Curve": None, "Solution": None,
                "blahut_arimoto": (table, {"beta": 3.0, "start": table, **nats}),
                "constrained": (table, {"rate": 0.0, **nats}), "curve": (table, {"betas": [2.0, 9.0], **nats}),
                "deterministic_curve": (0.5, [0.5, 0.5], nats), "erasure_encoder": (y, {"keep": 0.5, **nats}),
                **{
                    name: (p, y, {"beta": 2.0, **nats})
                    for name in bottleneck.__all__ if name.replace("squared_", "").startswith("lagrangian")
                },
            },
        }
        for package, named in calls.items():
            assert set(package.__all__) - set(named) <= {"adam"}, set(package.__all__) - set(named)
            for name, given in named.items():
                if given is None:
                    continue
                *positional, last = given if isinstance(given, tuple) else (given,)
                options = last if isinstance(last, dict) else {}
                positional = positional if isinstance(last, dict) else [*positional, last]
                getattr(package, name)(*positional, **options)
        meter = information.PlaneMeter(codes=3, classes=3)
        meter.update(p, y)
        meter.point(unit="bits")
        assert "torch" not in sys.modules
        try:
            bottleneck.adam(table, beta=2.0, unit="nats")
        except ImportError as error:
            assert "torch" in str(error)
        else:
            raise SystemExit("adam ran without torch")
    """)
