name := "sbt-hello"
version := "1.0"
scalaVersion := "3.3.6"

libraryDependencies ++= Seq(
  "com.lihaoyi" %% "upickle" % "4.1.0",
  "org.scalameta" %% "munit" % "1.2.0" % Test,
)

enablePlugins(JavaAppPackaging)
