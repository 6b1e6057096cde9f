// Compiled once while the image is made, so that what every build needs is there.
name := "warm"
