package selector

// Tau returns the τ by which the selector's vote weighs a score, exp(τ·score), and 0
// for a rule whose vote is not weighted.
func (s *Named) Tau() float64 {
	if s.rule.kind != kindVote {
		return 0
	}
	e := Evidence{tau: defaultTau}
	if len(s.sources.Models) > 0 {
		e.tau = 0
		for _, m := range s.sources.Models {
			e.tau += calibrationOf(m).Tau / float64(len(s.sources.Models))
		}
	}
	return s.rule.tauFor(&e)
}
