package message

import (
	"math"
	"strconv"
)

// appendFloat writes a JSON number; what JSON cannot write becomes 0.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}
