// Package rempart is the root of the module: it holds the tests on the tree as a whole. The program is cmd/rempart.
package rempart
