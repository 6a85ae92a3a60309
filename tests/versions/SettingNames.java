import java.lang.reflect.Method;
import org.apache.kafka.common.config.ConfigDef;

/** Prints "broker NAME" and "topic NAME" for each setting that the Kafka of the class path knows. */
class SettingNames {
    public static void main(String[] arguments) throws Exception {
        print("broker", definition("kafka.server.KafkaConfig$", "configDef"));
        ConfigDef topics;
        try {
            Class<?> type = Class.forName("org.apache.kafka.storage.internals.log.LogConfig");
            var field = type.getDeclaredField("CONFIG");
            field.setAccessible(true);
            topics = (ConfigDef) field.get(null);
        } catch (ClassNotFoundException e) { // before 3.5 the class was Scala
            topics = definition("kafka.log.LogConfig$", "configDefCopy");
        }
        print("topic", topics);
    }

    /** Return what a method of a Scala object returns. If it is private in Scala, its name has the class before it. */
    static ConfigDef definition(String type, String name) throws Exception {
        Class<?> object = Class.forName(type);
        for (Method method : object.getDeclaredMethods()) {
            if (("$" + method.getName()).endsWith("$" + name)) {
                method.setAccessible(true);
                return (ConfigDef) method.invoke(object.getField("MODULE$").get(null));
            }
        }
        throw new NoSuchMethodException(type + " has no " + name);
    }

    static void print(String kind, ConfigDef definition) {
        for (String name : definition.names()) {
            System.out.println(kind + " " + name);
        }
    }
}
