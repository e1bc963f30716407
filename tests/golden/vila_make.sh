#!/usr/bin/env bash
# Regenerates all VILA and NVILA goldens. See README.md for the variables.
set -euo pipefail
cd "$(dirname "$0")"
: "${PYTHON:=python3}" "${VILA_MAIN:?}" "${VILA_DEC:?}" "${VILA_MAY:?}" "${VILA_AUG:?}" "${S2_DIR:?}" "${SITE_436:?}" "${SITE_437:?}"
export S2_DIR TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=1
MAIN=b760c34b9487fd736b4075f5111fbef3d80a37e9
DEC=33b4f1a55cc0fc6b8be138d5097cf7ad8ec487fc
MAY=1c88211d779fc46e58640637034a6d68d0a43f08
AUG=54c970676ce96a5f7df372b5d25b2b98057716c2

"$PYTHON" vila_media.py
"$PYTHON" vila_models.py nvila_8b nvila_lite_2b nvila_8b_video nvila_8b_video_2 nvila_s2 nvila_s2_new \
  vila15_3b vila15_3b_s2 vila15_8b vila15_8b_rope vila15_13b vila15_40b vila15_40b_448 vila10_clip vila10_linear

for c in nvila_8b nvila_lite_2b nvila_s2 nvila_s2_new vila15_3b_era_b vila15_3b_s2_era_b vila15_8b_era_b vila15_8b_rope vila15_40b_era_b; do
  "$PYTHON" vila_era_b.py --vila "$VILA_MAIN" --vila-commit "$MAIN" "$c"
done
for c in nvila_8b_video nvila_8b_video_2; do
  "$PYTHON" vila_era_b.py --vila "$VILA_DEC" --vila-commit "$DEC" "$c"
done
for c in vila15_3b vila15_3b_s2 vila15_8b vila15_13b vila15_40b vila15_40b_448 vila10_clip vila10_linear; do
  PYTHONPATH=$SITE_436 "$PYTHON" vila_era_a.py --vila "$VILA_MAY" --vila-commit "$MAY" "$c"
done
for c in vila15_8b_form2 vila15_3b_aug; do
  PYTHONPATH=$SITE_437 "$PYTHON" vila_era_a.py --vila "$VILA_AUG" --vila-commit "$AUG" "$c"
done
"$PYTHON" vila_preview.py --vila "$VILA_MAIN" --vila-commit "$MAIN"
for c in nvila_lite_hf nvila_hf; do
  "$PYTHON" vila_hf.py --vila "$VILA_MAIN" --vila-commit "$MAIN" "$c"
done
rm -f data/vila_tables.json
"$PYTHON" vila_tables.py --part nvila --vila "$VILA_MAIN" --vila-commit "$MAIN"
"$PYTHON" vila_tables.py --part nvila_dec --vila "$VILA_DEC" --vila-commit "$DEC"
PYTHONPATH=$SITE_436 "$PYTHON" vila_tables.py --part vila15 --vila "$VILA_MAY" --vila-commit "$MAY"
PYTHONPATH=$SITE_437 "$PYTHON" vila_tables.py --part vila15_aug --vila "$VILA_AUG" --vila-commit "$AUG"
