object Warm
