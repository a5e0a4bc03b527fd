"""The works that the methods text cites."""

from __future__ import annotations

WORKS = {
    "n4": "Tustison NJ, et al. N4ITK: improved N3 bias correction. IEEE Trans Med "
    "Imaging 2010;29:1310-1320. doi:10.1109/TMI.2010.2046908",
    "ants": "Avants BB, et al. A reproducible evaluation of ANTs similarity metric "
    "performance in brain image registration. NeuroImage 2011;54:2033-2044. "
    "doi:10.1016/j.neuroimage.2010.09.025",
    "kmeans": "Lloyd SP. Least squares quantization in PCM. IEEE Trans Inf Theory "
    "1982;28:129-137. doi:10.1109/TIT.1982.1056489",
    "pyradiomics": "van Griethuysen JJM, et al. Computational radiomics system to "
    "decode the radiographic phenotype. Cancer Res 2017;77:e104-e107. "
    "doi:10.1158/0008-5472.CAN-17-0339",
    "ibsi": "Zwanenburg A, et al. The Image Biomarker Standardization Initiative. "
    "Radiology 2020;295:328-338. doi:10.1148/radiol.2020191145",
    "icc": "Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater "
    "reliability. Psychol Bull 1979;86:420-428. doi:10.1037/0033-2909.86.2.420",
    "rfe": "Guyon I, et al. Gene selection for cancer classification using support "
    "vector machines. Mach Learn 2002;46:389-422. doi:10.1023/A:1012487302797",
    "lasso": "Tibshirani R. Regression shrinkage and selection via the lasso. J R Stat "
    "Soc B 1996;58:267-288. doi:10.1111/j.2517-6161.1996.tb02080.x",
    "bootstrap": "Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat "
    "Med 1996;15:361-387. doi:10.1002/(SICI)1097-0258(19960229)15:4<361::"
    "AID-SIM168>3.0.CO;2-4",
    "calibration": "Van Calster B, et al. Calibration: the Achilles heel of predictive "
    "analytics. BMC Med 2019;17:230. doi:10.1186/s12916-019-1466-7",
    "decision": "Vickers AJ, Elkin EB. Decision curve analysis. Med Decis Making "
    "2006;26:565-574. doi:10.1177/0272989X06295361",
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two "
    "or more correlated receiver operating characteristic curves. Biometrics "
    "1988;44:837-845. doi:10.2307/2531595",
    "tripod": "Collins GS, et al. TRIPOD+AI statement. BMJ 2024;385:e078378. "
    "doi:10.1136/bmj-2023-078378",
}
