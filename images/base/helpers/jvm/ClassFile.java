import java.io.*;

/** What a class file says of itself (Java Virtual Machine Specification, chapter 4). */
final class ClassFile {
  /** Whether it has `public static void main(String[])`. */
  static boolean hasMain(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    if (bytes.length < 10 || in.readInt() != 0xCAFEBABE) return false;
    in.readInt();
    String[] texts = readTexts(in);
    in.skipBytes(6);
    in.skipBytes(2 * in.readUnsignedShort());
    for (int fields = in.readUnsignedShort(); fields > 0; fields--) {
      in.skipBytes(6);
      skipAttributes(in);
    }
    for (int methods = in.readUnsignedShort(); methods > 0; methods--) {
      int flags = in.readUnsignedShort();
      String name = texts[in.readUnsignedShort()];
      String type = texts[in.readUnsignedShort()];
      skipAttributes(in);
      if ((flags & 9) == 9 && "main".equals(name) && "([Ljava/lang/String;)V".equals(type)) return true;
    }
    return false;
  }

  /** The constant pool's texts by index. */
  private static String[] readTexts(DataInputStream in) throws IOException {
    int count = in.readUnsignedShort();
    String[] texts = new String[count];
    for (int index = 1; index < count; index++) {
      int tag = in.readUnsignedByte();
      if (tag == 1) texts[index] = in.readUTF();
      else if (tag == 7 || tag == 8 || tag == 16 || tag == 19 || tag == 20) in.skipBytes(2);
      else if (tag == 15) in.skipBytes(3);
      else in.skipBytes(tag == 5 || tag == 6 ? 8 : 4);
      if (tag == 5 || tag == 6) index++;
    }
    return texts;
  }

  private static void skipAttributes(DataInputStream in) throws IOException {
    for (int count = in.readUnsignedShort(); count > 0; count--) {
      in.skipBytes(2);
      in.skipBytes(in.readInt());
    }
  }
}
