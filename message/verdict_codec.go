package message

import "rempart/wire"

const (
	verdictScore wire.Tag = iota + 1
	verdictProbability
	verdictCategory
	verdictContribution
	verdictSlope
	verdictOffset
	verdictModel
)

const (
	contributionName wire.Tag = iota + 1
	contributionMethod
	contributionState
	contributionInput
	contributionCoefficient
	contributionString
	contributionInteger
)

func (v *Verdict) append(b []byte) []byte {
	b = wire.AppendInt(b, verdictScore, int64(v.Score))
	b = wire.AppendFloat(b, verdictProbability, v.Probability)
	b = wire.AppendUint(b, verdictCategory, uint64(v.Category))
	for i := range v.Contributions {
		b = wire.AppendRecord(b, verdictContribution, v.Contributions[i].append)
	}
	b = wire.AppendInt(b, verdictSlope, int64(v.Calibration.Slope))
	b = wire.AppendInt(b, verdictOffset, int64(v.Calibration.Offset))
	return wire.AppendString(b, verdictModel, v.Model)
}

func (v *Verdict) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case verdictScore:
			v.Score = LogOdds(c.Int())
		case verdictProbability:
			v.Probability = c.Float()
		case verdictCategory:
			v.Category = Category(c.Uint())
		case verdictContribution:
			var part Contribution
			err := part.read(c)
			v.Contributions = append(v.Contributions, part)
			return err
		case verdictSlope:
			v.Calibration.Slope = Fixed(c.Int())
		case verdictOffset:
			v.Calibration.Offset = LogOdds(c.Int())
		case verdictModel:
			v.Model = c.String()
		}
		return nil
	})
}

func (c *Contribution) append(b []byte) []byte {
	b = wire.AppendString(b, contributionName, c.Name)
	b = wire.AppendUint(b, contributionMethod, uint64(c.Method))
	b = wire.AppendUint(b, contributionState, uint64(c.State))
	b = wire.AppendInt(b, contributionInput, int64(c.Input))
	b = wire.AppendInt(b, contributionCoefficient, int64(c.Coefficient))
	for _, a := range c.Args {
		switch a := a.(type) {
		case string:
			b = wire.AppendRecord(b, contributionString, func(b []byte) []byte { return append(b, a...) })
		case int64:
			b = wire.AppendRecord(b, contributionInteger, func(b []byte) []byte { return wire.AppendInt(b, 1, a) })
		}
	}
	return b
}

func (c *Contribution) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, v wire.Content) error {
		switch tag {
		case contributionName:
			c.Name = v.String()
		case contributionMethod:
			c.Method = Method(v.Uint())
		case contributionState:
			c.State = State(v.Uint())
		case contributionInput:
			c.Input = Fixed(v.Int())
		case contributionCoefficient:
			c.Coefficient = LogOdds(v.Int())
		case contributionString:
			c.Args = append(c.Args, v.String())
		case contributionInteger:
			var n int64
			err := wire.Fields(v, func(_ wire.Tag, v wire.Content) error { n = v.Int(); return nil })
			c.Args = append(c.Args, n)
			return err
		}
		return nil
	})
}
